"""`make bench-audience`: who gets it, measured. One module for each part, found by its name in `__main__.PARTS`.

A part has FIGURES, and `measure(stage)`, which adds them to `stage.findings`; `world.of(stage)` is what they share.
"""
