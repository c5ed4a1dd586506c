"""A `Report`, for people at a terminal or in a browser, for documentation, for CI and for programs.

    terminal.summary(report, terminal.console(), replay=replay)
    Path("report.html").write_text(html.page(report, replay=replay), "utf-8")

Each module makes one form, and the same report always gives the same bytes. What an adapter says is made
harmless in each: it can neither move a cursor, nor end a tag, nor break a table. `terminal` alone needs
the extra `conformance`.
"""
