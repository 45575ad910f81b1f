"""What several commands share: options, progress and messages, the choice of a detector, HTML reports.

May import every room but `cli`, and no command.
"""
