"""The only package that imports streamlit: state, cached calls, page frame, levers, components."""
