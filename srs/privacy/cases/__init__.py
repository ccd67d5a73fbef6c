"""Cases: secret recording on suspicion of an offence, with its papers, its second person and its end.

What a case records is in no table of the archive: lists, searches, tasks, counts and reports cannot tell it, because
it is not there. Without a case everything else would be the same.
"""
