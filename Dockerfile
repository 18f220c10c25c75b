# The images of MyEvents: `docker build --target eventservice .`, and the same for `bookingservice`, `myevents` and `random`.
#
# Each holds one static binary and nothing else: no shell, no libraries, no package to keep up to date. It runs as a user
# without rights, on a root that it need not write to; what is kept lies in /data. amd64 and arm64, whichever the builder is.
#
# There is no `# syntax=` line on purpose: it would fetch a front end from a registry for nothing that is used here.

# Base images are arguments, so that a mirror (or a machine without a registry) can put its own in their place.
ARG RUST_IMAGE=rust:1.95.0-slim-trixie
ARG RUNTIME_IMAGE=scratch

FROM ${RUST_IMAGE} AS build
ARG TARGETARCH
# `dev` builds quicker and is larger; what it makes lies in target/*/debug. Nobody debugs in a container without a shell, so
# it leaves out what a debugger reads.
ARG PROFILE=release
# The commit, shown by myevents_build_info; the .git folder is not part of the context.
ARG REVISION=unknown
WORKDIR /src
COPY . .
# The C library is linked in, so that the binary runs in an empty image. The target is named so that this goes for our code
# only, not for the build scripts and macros, which run in the compiler. Relocations are packed: 0.6 MB less. Two images built at
# once share the caches: locked. So do two clones, and cargo knows a change by a file's time: with all files as new as this
# build it never takes what another clone has left behind for its own.
RUN --mount=type=cache,id=myevents-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=myevents-target-${TARGETARCH}-${PROFILE},target=/src/target,sharing=locked \
    set -eu; \
    find . -path ./target -prune -o -type f -exec touch {} +; \
    target=$(rustc --print host-tuple); \
    BUILD_REVISION="${REVISION}" \
    RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" \
    CARGO_PROFILE_DEV_DEBUG=none CARGO_PROFILE_DEV_STRIP=debuginfo \
        cargo build --locked --profile "${PROFILE}" --target "${target}" -p eventservice -p bookingservice -p myevents -p random; \
    folder="target/${target}/${PROFILE}"; \
    if [ "${PROFILE}" = dev ]; then folder="target/${target}/debug"; fi; \
    install -D -t /out "${folder}/eventservice" "${folder}/bookingservice" "${folder}/myevents" "${folder}/random"; \
    install -D -t /out/certs /etc/ssl/certs/ca-certificates.crt; \
    mkdir /out/data

# What all share. /data belongs to the user, and so does a new volume that is mounted there. It is not declared as a
# volume: each container that is started without one would leave a nameless one behind.
FROM ${RUNTIME_IMAGE} AS runtime
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="MyEvents" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build --chown=65532:65532 /out/data /data
# Whom to trust where broker or database are asked over TLS.
COPY --from=build /out/certs /etc/ssl/certs
ENV DATA_DIR=/data LOG_FORMAT=json
# A number, not a name: Kubernetes can then see that it is not root, and an empty image knows no names.
USER 65532:65532

# Inside a container both services have the same ports; outside, whoever runs them chooses.
FROM runtime AS eventservice
LABEL org.opencontainers.image.title="eventservice" \
      org.opencontainers.image.description="MyEvents: keeps events and locations"
COPY --from=build /out/eventservice /eventservice
ENV LISTEN_ADDR=0.0.0.0:8181 OPS_ADDR=0.0.0.0:9100
EXPOSE 8181 9100
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["/eventservice", "healthcheck"]
ENTRYPOINT ["/eventservice"]

FROM runtime AS bookingservice
LABEL org.opencontainers.image.title="bookingservice" \
      org.opencontainers.image.description="MyEvents: sells seats"
COPY --from=build /out/bookingservice /bookingservice
ENV LISTEN_ADDR=0.0.0.0:8181 OPS_ADDR=0.0.0.0:9100
EXPOSE 8181 9100
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["/bookingservice", "healthcheck"]
ENTRYPOINT ["/bookingservice"]

# Both services in one process, and the tools: load, verify, dead; and what stands beside the services: `page`, and where alerts are
# sent `bridge` and `inbox`, each in a container of its own, with `healthcheck page`, `healthcheck bridge` or `healthcheck inbox`.
FROM runtime AS myevents
LABEL org.opencontainers.image.title="myevents" \
      org.opencontainers.image.description="MyEvents: both services in one process, and the tools around them"
COPY --from=build /out/myevents /myevents
ENV EVENTS_ADDR=0.0.0.0:8181 BOOKINGS_ADDR=0.0.0.0:8282 EVENTS_OPS_ADDR=0.0.0.0:9100 BOOKINGS_OPS_ADDR=0.0.0.0:9101 \
    BRIDGE_ADDR=0.0.0.0:8060 BRIDGE_OPS_ADDR=0.0.0.0:9100 INBOX_ADDR=0.0.0.0:8026 PAGE_ADDR=0.0.0.0:8383
EXPOSE 8181 8282 9100 9101 8060 8026 8383
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["/myevents", "healthcheck"]
ENTRYPOINT ["/myevents"]

# The demo of tutorial/random. It has one port, and no subcommand that asks it: on Kubernetes the probes do.
FROM runtime AS random
LABEL org.opencontainers.image.title="random" \
      org.opencontainers.image.description="MyEvents: a demo with random numbers, the shortest program with metrics"
COPY --from=build /out/random /random
ENV LISTEN_ADDRESS=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/random"]
