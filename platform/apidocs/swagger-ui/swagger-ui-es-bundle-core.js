// Left out: the page at /docs does not load this file. See .cargo/config.toml.
