"""The page: Gradio components and what happens when they are used. The only package that knows Gradio."""
