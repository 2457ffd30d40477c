"""From a request to pictures: requests, resident parts, pipelines, decoding, the pictures' own data. No Gradio."""
