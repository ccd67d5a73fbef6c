"""What can be refused.

ArchiveError
  Refused             somebody may not do this, or not so
    SignInRefused     name, password or code are wrong, or the account takes no attempts now
      PasswordOver    a one-time password was not used in time
    SecondFactor      the password is right; a code is needed too
    ProviderAway      the OpenID provider does not answer, or not as one
    NotBelieved       what came back from the OpenID provider is not what was asked for, or proves nothing
  NoSuchUser          nobody has this name
  Misuse              what is asked for contradicts itself or what there is
    Incomplete        a case lacks papers
  NoCase              no case has this id, or it is not to be seen
  NotSent             a letter could not be mailed
  Altered             evidence is not as it was stored
"""

from srs.archive.errors import ArchiveError


class Refused(ArchiveError):
    """Somebody may not do this, or not so."""


class SignInRefused(Refused):
    """Who tried learns no more than this."""


class SecondFactor(Refused):
    """The password is right; a code is needed too."""


class PasswordOver(SignInRefused):
    """A one-time password was not used in time."""


class ProviderAway(Refused):
    """The OpenID provider does not answer, or not as one."""


class NotBelieved(Refused):
    """What came back from the OpenID provider is not what was asked for, or proves nothing."""


class NoSuchUser(ArchiveError):
    """Nobody has this name."""


class Misuse(ArchiveError):
    """What is asked for contradicts itself or what there is."""


class Incomplete(Misuse):
    """A case lacks papers: it records nothing."""


class NoCase(ArchiveError):
    """No case has this id, or it is not to be seen."""


class NotSent(ArchiveError):
    """A letter could not be mailed; trying again may help."""


class Altered(ArchiveError):
    """Evidence is not as it was stored."""
