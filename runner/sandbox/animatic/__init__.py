"""Rough clips, drawn from nothing but the request: what an edit can be judged by before anything is paid."""
