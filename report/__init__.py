"""A verdict for people: the terminal table and the HTML report. Reads `scorer.verdict` and `bundle`, nothing else.

terminal.py   the verdict as a table on a terminal
html.py       the single-file report, from template.html.j2, style.css and figure.js
figure.py     the timeline figure of the report, as plotly reads it
series.py     a bundle's rows and entries, aggregated into what the figure draws
moments.py    the same as text: what happened when
interval.py   the small chart of an objective's bounds against its target
quantity.py   numbers with units and bounds, and the symbols of the grades, as text
"""
