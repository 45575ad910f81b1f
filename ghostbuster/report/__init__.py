"""Verdicts to what people and programs read. To add a form, add its row to ``forms.FORMS``."""
