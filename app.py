"""The shell of Breakeven: `streamlit run app.py`.

Streamlit reads this file twice. As a server it finds `app` here (headers, compression, garbage collection); as the
script of a visit it draws language, currency and navigation, then the page.
"""

from __future__ import annotations

from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    import streamlit as st

    from pages.parts.server import MIDDLEWARE, lifespan

    app = st.App("app.py", lifespan=lifespan, middleware=MIDDLEWARE)
else:
    from pages.parts.shell import run

    run()
