"""What can go wrong with the archive.

ArchiveError
  NoRecording           no recording has this id
  AmbiguousId           several have ids that begin so
  NotReady              there is no sound (yet, or any more)
  Held                  a legal hold forbids it
  Sealed                the key that would open the sound is not here
  NoKey                 there is no key of that name, or there is one already
  StoreError            the audio store does not do what it should
  SigningError          the key or the certificate of an export cannot be used
  UnreadableList        a list of calls cannot be read
  NodeTaken             another recorder has this node's id
  NoNode                no node has this id
  NotMovable            a database cannot be copied into the other
  DatabaseError         the database does not answer
    NewerDatabase       it was made by a later version of this program
"""


class ArchiveError(Exception):
    """The message says what happened, in words for the person at the command line."""


class NoRecording(ArchiveError):
    """No recording has this id."""


class AmbiguousId(ArchiveError):
    """Several recordings have ids that begin so."""


class NotReady(ArchiveError):
    """There is no sound: not yet, or no more."""


class Held(ArchiveError):
    """A legal hold forbids it."""


class Sealed(ArchiveError):
    """The key that would open the sound is not here."""


class NoKey(ArchiveError):
    """There is no key of that name, or there is one already."""


class StoreError(ArchiveError):
    """The audio store does not do what it should; trying again may help."""


class SigningError(ArchiveError):
    """The key or the certificate that an export is signed with cannot be used."""


class UnreadableList(ArchiveError):
    """A list of calls of another system cannot be read."""


class NodeTaken(ArchiveError):
    """Another recorder has the id of this node."""


class NoNode(ArchiveError):
    """No node has this id."""


class NotMovable(ArchiveError):
    """A database cannot be copied into the other one: the message says why, and what to do."""


class DatabaseError(ArchiveError):
    """The database does not answer; trying again may help."""


class NewerDatabase(DatabaseError):
    """It was made by a later version of this program."""
