"""Makes Python programs trust the local CA of fauxfax, however they look for certificates.

Python runs this module on startup, because fauxfax puts its folder on PYTHONPATH. twilio-python up to 7.8 ignores the
environment variables and uses the file that certifi names, so certifi is changed, when it is imported, to name the
bundle that contains the local CA. If the user has a sitecustomize too, Python 3 runs it as if this one did not
exist.
"""

import os
import sys

BUNDLE = os.environ.get("FAX_CA_BUNDLE")
HERE = os.path.dirname(os.path.abspath(__file__))


def trust(certifi):
    def where():
        return BUNDLE

    def contents():
        with open(BUNDLE) as bundle:
            return bundle.read()

    for module in (certifi, sys.modules.get("certifi.core")):
        if module is not None:
            module.where = where
            module.contents = contents


def trust_when_imported():
    import importlib.util

    class Finder(object):
        """Lets the other finders find certifi, and changes it once it is loaded."""

        searching = False

        def find_spec(self, name, path=None, target=None):
            if name != "certifi" or self.searching:
                return None
            self.searching = True
            try:
                spec = importlib.util.find_spec(name)
            finally:
                self.searching = False
            if spec is not None and spec.loader is not None:
                load = spec.loader.exec_module

                def exec_module(module):
                    load(module)
                    trust(module)

                spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, Finder())


def run_the_next():
    import importlib.machinery
    import importlib.util

    elsewhere = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if BUNDLE and os.path.exists(BUNDLE):
    if sys.version_info[0] < 3:
        try:
            import certifi

            trust(certifi)
        except ImportError:
            pass
    else:
        trust_when_imported()
if sys.version_info[0] >= 3:
    run_the_next()
