from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinical', '0005_cds_hooks'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='resourceversion',
            index=models.Index(fields=['patient', 'stored_at'], name='version_by_arrival'),
        ),
    ]
