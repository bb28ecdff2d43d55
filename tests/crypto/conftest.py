"""The keepers of the tests of keys."""

from tests.fixtures.keepers import kms as kms
from tests.fixtures.keepers import kms_server as kms_server
from tests.fixtures.keepers import transit as transit
