"""From `python app.py` to a server: the port, the migrations, the worker processes."""
