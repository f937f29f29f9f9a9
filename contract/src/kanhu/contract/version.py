"""The one version of every part; code reads it here, because single parts carry no metadata in the root install."""

VERSION = "0.1.0"
