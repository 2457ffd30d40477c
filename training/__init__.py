"""How the embedded family is made. Not needed to run the page.

From the top: `evaluation` measures, `stages` trains, `data` is what is trained on, `diffusion` is the mathematics,
`family` reads and writes the family's files, `loop` carries a stage through, `networks` are untrained. Imports go
down that list only; `words` and `folders` are below all.
"""
