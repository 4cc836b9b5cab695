"""The classes, in the order of the label files and of the network's scores. Knows nothing else."""

CLASS_NAMES = ("helmet", "head", "person")
HELMET, HEAD, PERSON = range(3)
# In the rows of a canvas this class is no box: whoever stands in it may be an unlabelled person.
UNSURE_PERSON = 3
# Nor is this one: a head that nobody can judge. It is neither taught as a helmet or bare head nor as none.
UNSURE_HEAD = 4
