"""The JSON of the REST and WebSocket interfaces: camelCase, amounts in minor units, times in RFC 3339.

A text is never null: empty means that there is none. Times, numbers and choices that are not there are null.
"""
