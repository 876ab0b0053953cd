# The image of oms_exporter: one static program and the certificates of public authorities, nothing else. It runs as a
# user without a name or rights, on a root file system that may be read-only; only the demo writes, and only to /tmp.
#
#   docker build --build-arg revision=$(git rev-parse HEAD) -t oms_exporter:$(cat VERSION) .
#   docker run --rm -p 127.0.0.1:9942:9942 oms_exporter:$(cat VERSION) demo

# It builds with BuildKit and without: only BuildKit sets BUILDPLATFORM, TARGETOS and TARGETARCH. Without it the build is for the
# system and processor of the machine, which is what nothing says to Go, and what "linux" alone says to Docker.
FROM --platform=${BUILDPLATFORM:-linux} golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG revision=unknown
ARG branch=unknown
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build revision=$revision branch=$branch
RUN install -d -m 1777 /rootfs/tmp && \
    install -D oms_exporter /rootfs/bin/oms_exporter && \
    install -D -m 0644 LICENSE /rootfs/LICENSE && \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ca-certificates.crt

FROM scratch
ARG revision=unknown
LABEL org.opencontainers.image.title="oms_exporter" \
      org.opencontainers.image.description="Prometheus exporter for order management systems built on Apache OFBiz's entity model" \
      org.opencontainers.image.source="https://github.com/oms-exporter/oms_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$revision"
COPY --from=build /rootfs /

# Here it finds its configuration, oms_exporter.yml, and the files that it names.
WORKDIR /etc/oms_exporter
USER 65532:65532
EXPOSE 9942
ENTRYPOINT ["/bin/oms_exporter"]

# There is no HEALTHCHECK, because there is nothing in the image that could ask. Whatever runs it asks /-/healthy and
# /-/ready by HTTP.
