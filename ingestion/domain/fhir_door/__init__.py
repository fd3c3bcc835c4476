"""What the FHIR door reads and answers, without a web framework.

outcome        OperationOutcome for every refusal, without a word of the sender's
interactions   what a request asks for: Bundle type, entries, conditions that are not supported
replies        response Bundles of transaction, batch and message
capability     the CapabilityStatement
notification   Subscription notifications (R5 backport on R4)
sequence       event numbers: new, repeated, missing
"""
