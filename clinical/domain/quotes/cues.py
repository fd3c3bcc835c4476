"""Words by which a sentence shows that it gives a reason, a time, a frequency, a finding, a person or a plan."""

from __future__ import annotations

import re

_STRETCH = r"(?:\d|a |an |one|two|three|four|five|six|seven|eight|nine|ten|several|few|the (?:past|last|next)|last|now|about|approximately|at least|up to|another|around)"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_UNITS = r"(?:minute|hour|day|night|week|month|year|decade)s?"


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


CAUSE = _any(
    r"\bcaused by\b",
    r"\b(?:because|due to|secondary to|owing to|caus(?:e|ed|es|ing)|led to|leads to|in view of|attribut\w+|reasons?)\b",
    r"\b(?:as (?:she|he|it|they|there|the)|as a result|related|in the setting of|on account of|thought to|likely)\b",
    r"\bto (?:treat|prevent|help|control|manage|reduce|improve|lower|avoid|protect|rule out|evaluate|assess|confirm)\b",
    r"\bto (?:make sure|ensure|look for|check|exclude|see|determine|investigate|monitor|follow up on|try|coat|relieve)\b",
    rf"\bfor (?!{_STRETCH}|(?:further |additional |an? )?(?:evaluation|review|follow|discussion|assessment|manage))|\bgiven (?:the|her|his|that|their)\b|\b(?:in order to|so that|therefore|hence|while)\b",
    r"\b(?:despite|although|following|developed|resulting|caused by|rule out|make sure)\b",
    r"\bafter (?!meals|food|breakfast|lunch|dinner|bed)\b",
    rf"\bsince (?!\d|last|then|(?:her|his|the|their) last|{_MONTHS})",
    r"\b(?:had to|needed to|in (?:the )?hopes?|side effects?|intoleran\w+|contraindicat\w+|not tolerated|allerg\w+)\b",
    r"\b(?:concern(?:s|ed)?|worr\w+|suspicio\w+|suspect\w*|consistent with|blam\w+|prompted|triggered|aggravated)\b",
    r"\b(?:exacerbated|brought on|afraid|fear\w*|prefer\w*|cost|expensive|not covered|believes?|contribut\w+)\b",
    r"\bwhen (?:she|he|they) (?:was|were|fell|slipped|twisted|tried)\b",
    r", so\b|\bso (?:that|she|he|it|they|we)\b|\((?=[^)\d]{4,}\))|\bnot \w+: ",
)
# Cues that follow the effect and stand before the cause.
EFFECT_FIRST = re.compile(r"for|because|due to|secondary to|owing to|caused by|on account of|attributed", re.IGNORECASE)
# Cues that follow the cause and stand before the effect.
CAUSE_FIRST = re.compile(r"cause|causes|caused(?! by)|causing|led to|leads to|resulting", re.IGNORECASE)
DEED = _any(
    r"\b(?:was|were) (?:playing|lifting|moving|running|skiing|driving|walking|working|riding|climbing|jumping|carrying)\b",
    r"\b(?:fell|slipped|tripped|twisted|dropped|accident|collision|crash\w*|rear-ended|stepped|ran into)\b",
)
CAUSE_HINT = _any(r";|\b(?:but|when)\b")
MANNER = _any(
    r"\b(?:when|while|after|during|due to|because|from|by|following|as part of|routine|screening|incidental\w*) \w+",
    r"\b(?:fell|fall|slipp\w+|tripp\w+|twist\w+|dropp\w+|hit|struck|land\w+|accident|collision|crash\w*|rear-ended)\b",
    r"\b(?:was|were) (?:playing|lifting|moving|running|skiing|driving|walking|working|riding|climbing|jumping|doing)\b",
)
ONSET = _any(r"\b(?:onset|beg[aiu]n|start\w*|first|since|ago|develop\w*|came on|initial\w*)\b")
COMING = _any(
    r"\b(?:today|tonight|tomorrow|next (?:week|month|year|visit)|in (?:the )?(?:\w+ )?(?:weeks?|months?|days?))\b"
)
DATED = re.compile(
    r"[\s-]*(?:minutes?|hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?|yrs?)?[\s-]*"
    r"(?:ago|earlier|prior|before|post|later|old|of age|history|back|status post|s/p)\b",
    re.IGNORECASE,
)
DATED_BEFORE = re.compile(
    r"\b(?:for|over|past|last|in|within|since|about|approximately|after|aged?|until|at|around|nearly|next|the)\s*\Z",
    re.IGNORECASE,
)
DATE = _any(
    r"\b(?:yesterday|ago|last (?:night|week|month|year|spring|summer|fall|autumn|winter|visit))\b",
    rf"\b(?:few|several|couple of) {_UNITS}\b|\b(?:at night|overnight|nightly|on waking|next (?:week|month|year))\b",
    r"\b(?:in the (?:morning|afternoon|evening)|after (?:meals|eating|exercise)|before bed|when (?:he|she))\b",
    r"\b(?:this (?:morning|week|month|year)|(?:past|last) (?:few|several|couple)|weeks? (?:prior|before)|over the)\b",
    r"\b(?:at (?:the )?age|as a child|in childhood|teenager|birthday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    rf"\bsince (?:{_MONTHS}|spring|summer|autumn|fall|winter|birth|childhood)\b|\bage \d",
)
DURATION = _any(
    rf"\b(?:few|several|couple of|many|long|some) {_UNITS}\b|\b(?:past|last) (?:few |several |couple of )?{_UNITS}\b",
    r"\b(?:since|long ?standing|lifelong|chronic(?:ally)?|a long time|all (?:his|her|their) life|years|ongoing)\b",
    rf"\b{_UNITS} (?:ago|history|duration)\b|\buntil\b",
    rf"\b(?:to|till|through) (?:{_MONTHS}|spring|summer|autumn|winter|\d{{4}})\b",
)
FREQUENCY = _any(
    r"\b(?:daily|weekly|monthly|yearly|annual(?:ly)?|twice|once|nightly|every|each|per|bid|bd|tid|tds|qid|qd|times)\b",
    r"\b(?:first|second|third|fourth|fifth|\d+(?:st|nd|rd|th)|always|never|rarely|occasional\w*|regularly|often)\b",
    r"\b(?:frequent\w*|sometimes|a (?:day|week|month|year)|at (?:night|bedtime)|as needed|prn|quite a bit)\b",
)
AMOUNT = _any(
    FREQUENCY.pattern,
    r"\b(?:few|several|couple|half|none|pack(?:s|et)?|bottles?|glass(?:es)?|units?|some|little|lots?|heav(?:y|ily)|years?)\b",
)
RESULT = _any(
    r"\b(?:normal|abnormal|unremarkable|elevated|high|low|raised|decreased|increased|reduced|positive|negative|stable)\b",
    r"\b(?:shows?|showed|shown|demonstrat\w+|reveal\w*|within|no|not|mild\w*|moderate|severe|intact|present|absent)\b",
    r"\b(?:noted|unchanged|changed?|comparison|appears?|pending|good|controlled|detected|evidence|consistent|found)\b",
    r"\b(?:borderline|regular|clear|well|poor|better|worse|healed|grade|stage|impression|identified|findings?)\b",
)
PERSON = re.compile(
    r"\b(?:Dr|Doctor|Mr|Mrs|Ms|Nurse|Prof)\b\.?\s+[A-Z]"
    r"|\b(?i:(?:grand)?(?:mother|father|son|daughter|parents?)|wife|husband|partner|sister|brother|niece|nephew|aunt"
    r"|uncle|cousin|friend|neighbou?r|surgeon|\w+(?:ologist|iatrist|iatry|ology|ician)|gp|pcp|physician|doctor|nurse|therapist"
    r"|specialist|clinic|siblings?|room ?mate|house ?mate|flat ?mate|spouse|children|alone|pharmacist|dentist|optician|therapy|referral|urology|surgery|team|trainer|carer|caregiver|counsel+or|dietitian)\b"
)
PLANNED = _any(
    r"\b(?:plan\w*|will|recommend\w*|follow|continue|start|increase|refer\w*|order\w*|advis\w+|schedul\w+|consider)\b",
    r"\b(?:repeat|book\w*|review|if|return|should|discuss\w*|initiate|obtain)\b",
)
MODIFIER = _any(
    r"\b(?:when|with|by|after|if|while|upon|during|factors?|from|because|using|on|triggers?|help\w*|makes?|reliev\w+)\b"
)
HARMS = _any(r"\b(?:causes|caused|makes (?:him|her|them)|made (?:him|her|them)|reaction to)\b")
QUALITY = _any(
    r"\b(?:describ\w+|sharp|dull|ach(?:e|ing)|throbbing|burning|stabbing|constant|intermittent|cramp\w*|pressure|nagging)\b",
    r"\b(?:shooting|tingling|gnawing|tight\w*|squeezing|sore|pulling|tearing|pulsating|electric|heavy|itchy|colicky)\b",
)
FUTURE = _any(
    r"\b(?:will|plan\w*|schedul\w*|book\w*|due(?! to)|overdue|next|upcoming|recommend\w*|should|to be|follow[ -]?up|return)\b",
    r"\b(?:in (?:the )?(?:\w+ )?(?:\d+|one|two|three|four|five|six|several|few|next)|repeat|order\w*|await\w*|tomorrow)\b",
    r"\b(?:going to|appointment|refer\w*|until|once)\b",
)
FORM = _any(
    r"\b(?:cream|ointment|gel|lotion|drops|spray|inhaler|patch|shampoo|suppositor\w+|topical|tablets?|capsules?|solution)\b"
)
ORDERED = _any(r"\b(?:order\w*|check\w*|obtain\w*|recommend\w*|request\w*|send|sent|await\w*|pending|arrange\w*)\b")
REASONING = _any(
    r"\b(?:concern\w*|suspect\w*|suspicio\w*|consistent with|due to|because|likely|possible|rule out|worr\w+|believe)\b",
    r"\b(?:reasoning|question of|evaluate|assess|given|in view of|differential)\b",
)
CONDITIONAL = _any(r"\b(?:if|unless|in case|otherwise|depending|should (?:he|she|they|the|this|it|her|his))\b")
WAITING = _any(r"\b(?:when|once|until|if)\b.*\b(?:results?|available|back|positive|negative)\b")
AGED = re.compile(
    r"[\s-]*(?:years?|yrs?|yo|y/o|y\.o\.?|months?)[\s-]*(?:old|of age)\b|[\s-]*(?:yo|y/o|y\.o\.)", re.IGNORECASE
)
