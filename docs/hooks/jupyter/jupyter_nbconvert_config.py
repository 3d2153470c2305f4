"""How nbconvert renders the lessons: docs/hooks/lessons.py points JUPYTER_CONFIG_DIR here, so nobody's own settings leak in."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# A page has no kernel behind its widgets: show what the widget says as HTML instead of controls that would do nothing.
c.NbConvertBase.display_data_priority = ["text/html", "image/svg+xml", "text/markdown", "image/png", "text/plain"]
c.ExecutePreprocessor.timeout = 120
