"""The FHIR door: Bundles and resources by POST and PUT, and the receiver of Subscription notifications.

Sources: HL7 FHIR R4 4.0.1, RESTful API; Subscriptions R5 Backport implementation guide 1.1.0.
"""
