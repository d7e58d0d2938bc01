"""What every operation passes before it runs, whichever way it came.

`admission` leads through it: which text is meant (`documents`, `persisted`), whether it is within the limits (`limits`,
`scanning`, `legible`), whether it is valid and what it costs (`checks`, `measures`, `costs`), and whether its caller may ask
for that much now (`rates`).
"""
