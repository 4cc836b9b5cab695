"""The pit's office: a surveyor's readings and orders come in, the daily report (监测日报) goes out.

In: files and commands of people, what the stores hold, the settings in force. Out: readings for the box's one line,
baselines for the models, reports that are printed once and kept. Judges nothing: rules do. Knows no HTTP.
"""
