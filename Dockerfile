# The image holds only the static binary and its licences.
FROM rust:1.95-bookworm AS build
ARG TARGETARCH
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
COPY . .
# Naming the target keeps these flags from the build scripts.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile dist --locked --bin fauxfax --target "$target" \
    && install -D "target/$target/dist/fauxfax" "/out/$TARGETARCH/fauxfax"

# packages/image/build.sh builds only the stage below, from binaries that exist already in place of the stage above, and adds
# the labels that change with each release.
FROM scratch
ARG TARGETARCH
LABEL org.opencontainers.image.title="fauxfax" \
    org.opencontainers.image.description="Local emulator of Twilio Programmable Fax and SignalWire's fax API, for tests" \
    org.opencontainers.image.licenses="Apache-2.0 OR MIT"
COPY --from=build /out/${TARGETARCH}/fauxfax /fauxfax
COPY LICENSE-APACHE LICENSE-MIT /
# The user nobody: fauxfax needs neither root's rights nor a port below 1024.
USER 65534:65534
# Listens on all addresses, since nothing outside the container can reach its loopback address.
ENV FAUXFAX_LISTEN=0.0.0.0:8329
EXPOSE 8329
HEALTHCHECK --interval=5s --timeout=3s --start-period=2s --retries=3 CMD ["/fauxfax", "healthcheck"]
ENTRYPOINT ["/fauxfax"]
CMD ["serve"]
