"""What a site's cameras learn from what the desk judged of their alarms: a labelled set, and operating scores.

Commands, run on the box: `sitewarden vision collect` and `sitewarden vision adapt`. Never weights.
"""
