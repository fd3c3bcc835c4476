from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinical', '0003_index_change_failures'),
    ]

    operations = [
        migrations.AddField(
            model_name='answer',
            name='versions_read',
            field=models.PositiveIntegerField(null=True),
        ),
    ]
