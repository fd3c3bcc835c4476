"""Subscriptions at the site's EHR.

receiver   what a notification changes, and what of it is taken in
watch      heartbeats that did not come, gaps, and what waits to be fetched
catch_up   fetches what notifications only named
search     asks for what has changed where notifications name nothing (R4)
"""
