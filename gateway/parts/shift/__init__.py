"""The site office's own papers: the safety log of a day (施工安全日志) and the shift handover (交接班).

In: what the box knows of a day or a shift, and what people write to it. Out: drafts, signed papers, sealed in the
chain, and their prints. A signed paper never changes; what was forgotten is added to it and signed as well.
"""
