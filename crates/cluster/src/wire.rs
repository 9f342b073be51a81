//! One request and its answers, over gRPC: the connection, its headers, and whose session it is. Waits as
//! long as it is told to.

use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::address::Address;
use crate::error::causes;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// The largest answer in one piece: a batch is 4 MB unless someone configured the server otherwise.
const LARGEST: usize = 128 << 20;

/// The service, before the name of a request.
const SERVICE: &str = "/spark.connect.SparkConnectService/";

/// A connection.
#[derive(Clone)]
pub(crate) struct Wire {
    grpc: Grpc<Channel>,
    token: Option<MetadataValue<Ascii>>,
}

impl Wire {
    /// Connects.
    pub(crate) async fn connect(
        address: &Address,
        token: Option<&str>,
        authorities: Option<&str>,
    ) -> Result<Wire, String> {
        let Address { host, port, tls } = address;
        let scheme = if *tls { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{host}:{port}"));
        let mut endpoint = endpoint.map_err(|error| causes(&error))?.connect_timeout(CONNECT);
        if *tls {
            let tls = ClientTlsConfig::new();
            let tls = match authorities {
                Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
                None => tls.with_webpki_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(|error| causes(&error))?;
        }
        let token = token.map(|token| {
            let value = MetadataValue::try_from(format!("Bearer {token}"));
            let mut value = value.map_err(|_| "the token has characters that none has")?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        let channel = endpoint.connect().await.map_err(|error| causes(&error))?;
        let grpc = Grpc::new(channel).max_decoding_message_size(LARGEST);
        Ok(Wire { grpc, token: token.transpose()? })
    }

    /// Whether it says who asks.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Sends `message`, to which many answers come.
    pub(crate) async fn stream<Q, A>(
        &self,
        name: &str,
        message: Q,
    ) -> Result<Streaming<A>, Box<Status>>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|error| unavailable(&error))?;
        let answer = grpc.server_streaming(
            self.request(message),
            path(name)?,
            ProstCodec::<Q, A>::default(),
        );
        Ok(answer.await.map_err(Box::new)?.into_inner())
    }

    /// Sends `message`, to which one answer comes.
    pub(crate) async fn call<Q, A>(&self, name: &str, message: Q) -> Result<A, Box<Status>>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|error| unavailable(&error))?;
        let answer = grpc.unary(self.request(message), path(name)?, ProstCodec::<Q, A>::default());
        Ok(answer.await.map_err(Box::new)?.into_inner())
    }

    fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }
}

fn path(name: &str) -> Result<PathAndQuery, Box<Status>> {
    let path = PathAndQuery::try_from(format!("{SERVICE}{name}"));
    path.map_err(|error| Box::new(Status::internal(error.to_string())))
}

fn unavailable(error: &tonic::transport::Error) -> Box<Status> {
    Box::new(Status::unavailable(causes(error)))
}
