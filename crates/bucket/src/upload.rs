//! A file as an object: at once, or in pieces when it is large, so that no more than one piece is held in
//! memory. A broken upload leaves no object.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusty_s3::actions::CreateMultipartUpload;
use rusty_s3::actions::{CompleteMultipartUpload, CompleteMultipartUploadResponse};

use crate::bucket::{Bucket, etag_of, lasting, md5_of};
use crate::error::{Error, Result, shown};
use crate::wire::{FailedTry, Sent, retried, unanswered};

/// Bytes of a piece; S3 takes 10,000 of them, of 5 MiB at least.
const PIECE: usize = 8 << 20;

impl Bucket {
    /// Puts the bytes of a file. Returns how many these were.
    ///
    /// # Errors
    /// [`Error::Unanswered`], [`Error::Refused`], [`Error::Io`] of the file.
    pub fn upload(&self, key: &str, path: &Path) -> Result<u64> {
        let unread = |source| Error::Io { what: path.display().to_string(), source };
        let mut file = File::open(path).map_err(unread)?;
        let bytes = file.metadata().map_err(unread)?.len();
        if bytes <= PIECE as u64 {
            let mut whole = Vec::new();
            file.read_to_end(&mut whole).map_err(unread)?;
            self.put(key, &whole)?;
            return Ok(whole.len() as u64);
        }
        let upload = self.begin(key)?;
        let done = self.pieces(key, &upload, bytes, &mut |piece| {
            piece.clear();
            file.by_ref().take(PIECE as u64).read_to_end(piece).map_err(unread).map(drop)
        });
        if done.is_err() {
            // What goes wrong here is found by the rule of the bucket that ends uploads.
            let _ = self.abort(key, &upload);
        }
        done.map(|()| bytes)
    }

    fn begin(&self, key: &str) -> Result<String> {
        let (what, full) = (format!("put {}", self.url(key)), self.full(key));
        retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action = self.s3().create_multipart_upload(Some(&keys), &full);
            let mut answer = self.once(&what, &action, &Sent::default())?;
            let text = answer.body_mut().read_to_string();
            let text = text.map_err(|error| unanswered(&what, &error))?;
            let parsed = CreateMultipartUpload::parse_response(&text);
            Ok(parsed.map_err(|error| unread(&what, &error))?.upload_id().to_owned())
        })
    }

    fn pieces(
        &self,
        key: &str,
        upload: &str,
        bytes: u64,
        next: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let (what, full) = (format!("put {}", self.url(key)), self.full(key));
        let (mut piece, mut etags) = (Vec::with_capacity(PIECE), Vec::new());
        for number in 1..=u16::MAX {
            next(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            etags.push(retried(|| {
                let keys = self.keys().map_err(lasting)?;
                let action = self.s3().upload_part(Some(&keys), &full, number, upload);
                let headers = vec![md5_of(&piece)];
                let sent = Sent { headers, body: &piece, bytes: piece.len() as u64 };
                Ok(etag_of(&self.once(&what, &action, &sent)?))
            })?);
        }
        let etags = || etags.iter().map(String::as_str);
        let completed = retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action =
                CompleteMultipartUpload::new(self.s3(), Some(&keys), &full, upload, etags());
            let body = action.clone().body();
            let mut answer =
                self.once(&what, &action, &Sent { body: body.as_bytes(), ..Sent::default() })?;
            let text = answer.body_mut().read_to_string();
            let text = text.map_err(|error| unanswered(&what, &error))?;
            CompleteMultipartUploadResponse::parse(&text).map_err(|error| unread(&what, &error))?;
            Ok(())
        });
        // An answer that was lost may have been a yes, after which the upload is not known any more.
        match completed {
            Err(error) if self.size(key)? != Some(bytes) => Err(error),
            _ => Ok(()),
        }
    }

    fn abort(&self, key: &str, upload: &str) -> Result<()> {
        let (what, full) = (format!("give up {}", self.url(key)), self.full(key));
        retried(|| {
            let keys = self.keys().map_err(lasting)?;
            let action = self.s3().abort_multipart_upload(Some(&keys), &full, upload);
            self.once(&what, &action, &Sent::default()).map(drop)
        })
    }
}

/// An answer that is none of its kind.
fn unread(what: &str, error: &dyn std::fmt::Display) -> FailedTry {
    let why = format!("an answer that cannot be read: {}", shown(&error.to_string()));
    FailedTry { error: Error::Unanswered { what: what.to_owned(), why }, passes: true, status: 200 }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};

    use ureq::tls::RootCerts;

    use super::*;
    use crate::{Access, Address, Login};

    /// Answers what a bucket would to an upload in pieces, and keeps nothing of it.
    fn answer(stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let (mut head, mut bytes) = (String::new(), 0);
            while reader.read_line(&mut head)? > 2 {
                let line = head.lines().next_back().unwrap_or_default().to_lowercase();
                if let Some(length) = line.strip_prefix("content-length:") {
                    bytes = length.trim().parse().unwrap_or(0);
                }
            }
            if head.is_empty() {
                return Ok(());
            }
            std::io::copy(&mut reader.by_ref().take(bytes), &mut std::io::sink())?;
            let (kind, what) = if head.contains("uploadId=") {
                ("Complete", "<ETag>e</ETag>")
            } else {
                ("Initiate", "<UploadId>u</UploadId>")
            };
            let body = format!(
                "<{kind}MultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Bucket>b</Bucket><Key>k</Key>{what}</{kind}MultipartUploadResult>"
            );
            let length = body.len();
            let mut stream = &stream;
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
        }
    }

    /// The most memory that this process has had, in bytes.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
    }

    #[test]
    fn of_a_large_file_a_piece_is_in_memory() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                std::thread::spawn(move || answer(stream));
            }
        });
        let login = Login::Keys { key: "A".into(), secret: "S".into(), token: None };
        let (endpoint, region, roots) = (Some(endpoint), "r".into(), RootCerts::WebPki);
        let address = Address::parse("s3://b/p").expect("a bucket").expect("an address");
        let bucket = Bucket::new(address, Access { endpoint, region, login, roots });
        let file = tempfile::NamedTempFile::new().expect("a file");
        const BYTES: u64 = 300_000_000;
        file.as_file().set_len(BYTES).expect("room");
        let before = peak();
        let sent = bucket.expect("a bucket").upload("k", file.path()).expect("an upload");
        assert_eq!(sent, BYTES);
        let grown = peak() - before;
        assert!(grown < 4 * PIECE as u64, "{grown} bytes");
    }
}
