# The handler for those who run the Functions host elsewhere than in Azure: one static program on nothing but the root
# certificates. It listens on the loopback address alone, because whoever reaches its port is believed to be the host; so put it into
# one network namespace with the host (a pod in Kubernetes, `--network container:HOST` in Docker). Settings come from the environment.
FROM rust:1.95.0-bookworm AS build
# The C code of ring and libwebp is compiled by musl-gcc; the newest patches of it are right.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
RUN cargo build --locked --release --no-default-features --bin widgetco --target x86_64-unknown-linux-musl

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/x86_64-unknown-linux-musl/release/widgetco /widgetco
# Where rustls looks for them, said to be sure.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["/widgetco"]
CMD ["serve"]
