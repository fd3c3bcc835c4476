"""Text that speaks to a reading machine and not to a clinician: it is never quoted as an answer."""

from __future__ import annotations

import re

# A physician assistant is a person; a stimulus may prompt a symptom.
_PEOPLE = "".join(
    rf"(?<!{job} )"
    for job in (
        "physician", "physician's", "medical", "dental", "nursing", "healthcare", "care", "surgical", "teaching", "shop",
        "personal", "therapy", "administrative", "nurse", "theatre", "sales", "research", "classroom", "social work",
    )
)  # fmt: skip
_WORDS = (
    "ai", "a.i", "assistant", "bot", "language model", "llm", "gpt", "prompt", "jailbreak", "ignore", "disregard", "forget",
    "override", "bypass", "instruction", "you ", "respond", "reply", "answer", "do not",
)  # fmt: skip
_MACHINE = re.compile(
    rf"\b(?-i:A\.?I\.?)[\s-]+(?:assistant|model|system|agent|reader|tool|bot|scribe|software|summary|answer)"
    r"|\b(?:to|for|dear|attention|note|hey|hello|any|all|the|if you are an?)\W+(?:the |any |all |an )?(?-i:A\.?I\.?)(?=\W|\Z)"
    r"|\b(?-i:A\.?I\.?)(?:\s*:|,? (?:must|should|shall|has to|will|please|reading|processing|using|agents?)\b)"
    rf"|{_PEOPLE}\bassistants?\b"
    r"|\b(?:chat ?bots?|language models?|LLMs?|GPT\w*|system prompt|prompt injection|jailbreak\w*)\b"
    r"|\b(?:the|this|your|my|following|above|previous|prior|original|new|initial|hidden|entire) prompts?\b"
    r"|\b(?:ignore|disregard|forget|override|bypass) (?:all|any|the|your|previous|prior|earlier|these|those|everything|safety)\b"
    r"|\b(?:previous|prior|above|earlier|system|new|following) instructions?\b|\binstructions? (?:to|for) (?:the )?(?:system|model|reader|machine)\b"
    r"|\byou (?:are|must|should|will|have to|shall|need to) (?:now )?(?:answer|respond|reply|say|state|tell|output|write|print"
    r"|ignore|act|always|never|an?)\b"
    r"|\b(?:respond|reply|answer) (?:only )?(?:with|that|by)\b|\bdo not (?:tell|reveal|mention) (?:this|the)\b",
    re.IGNORECASE,
)


def addresses_a_machine(text: str) -> bool:
    """Return whether a sentence gives orders to software that reads it."""
    low = text.lower()
    return any(word in low for word in _WORDS) and _MACHINE.search(text) is not None
