"""The doctor: what a person would check by hand, each as a finding with what to do next.

Looking is done in `io/` and `examination.py`; the other files judge, from plain values to findings.
Nothing is changed: a daemon that runs meanwhile does not notice.
"""
