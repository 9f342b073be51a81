//! Tells by mail: hands it to a program such as sendmail, and does not wait for one that hangs.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use pmtaq_alert::{Event, Receiver, payload};
use pmtaq_schema::untrusted::visible;

use super::send::{MAX_ANSWER, timeout};

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The mail, with its head.
pub(super) fn text(receiver: &Receiver, event: &Event) -> String {
    let from = receiver.from.clone().unwrap_or_else(|| format!("pmtaq@{}", event.source));
    payload::mail(event, &from, &receiver.to)
}

/// Sends it.
pub(super) fn send(receiver: &Receiver, event: &Event) -> Result<(), String> {
    let program = &receiver.sendmail;
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = Command::new(program)
        .args(["-t", "-i"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Pipes have threads of their own: who hangs neither reads nor closes them.
    let (written, is_written) = channel();
    let (heard, said) = channel();
    if let (Some(mut stdin), Some(stderr)) = (child.stdin.take(), child.stderr.take()) {
        let text = text(receiver, event);
        thread::spawn(move || written.send(stdin.write_all(text.as_bytes())));
        thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.take(4096).read_to_end(&mut said);
            heard.send(said)
        });
    }
    let Some(status) = end(&mut child, timeout(receiver)).map_err(failed)? else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{program} does not end within {}s", timeout(receiver).as_secs()));
    };
    if !status.success() {
        let said = said.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let said: String = said.trim().chars().take(MAX_ANSWER).collect();
        return Err(visible(&format!("{program} ends with {status}: {said}")));
    }
    // Who ends well without having read all of it has not taken the mail.
    is_written.recv_timeout(Duration::from_secs(1)).unwrap_or(Ok(())).map_err(failed)
}

/// How it ended; none when it has not by then.
fn end(child: &mut Child, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
    for _ in 0..=timeout.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(LOOK);
    }
    Ok(None)
}
