# What a newcomer types. Each target installs what it needs on Debian and Ubuntu, and says on other systems what is missing.

# rustup puts cargo there, but not every shell has it in its PATH.
export PATH := $(PATH):$(HOME)/.cargo/bin
CARGO ?= cargo

.PHONY: run test test-corpus captures

# Nothing but epipe's own output on stdout: the rest goes to stderr.
run:
	@scripts/require libpcap >&2
	@exec $(CARGO) run --locked --release

test:
	@CARGO='$(CARGO)' scripts/test

test-corpus:
	@CARGO='$(CARGO)' scripts/test-corpus

captures:
	@scripts/require libpcap >&2
	@CARGO='$(CARGO)' scripts/make-captures
