//! How alerts travel: by HTTPS, and by a program that takes mail.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::alert::{at, rules, stderr, troubled};
use crate::sealed::{interpreter, root};

#[test]
fn only_a_certificate_that_is_trusted_hears_of_an_alert_at_scale() {
    let sealed = troubled();
    let mut server = Command::new(interpreter())
        .arg(root().join("tests/python/tls.py"))
        .arg(sealed.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port = lines.next().unwrap();
    let ca = sealed.dir.path().join("ca.pem");
    let test = |ca_file: &str, variable: &str| {
        let hook = format!(
            "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\n\
             url = \"https://localhost:{port}/hook\"\n{ca_file}"
        );
        let file = rules(&sealed, &hook);
        let mut command = sealed.command();
        command.args(["alert", "test", "-q", &file]).env("SSL_CERT_FILE", variable);
        let output = command.output().unwrap();
        (output.status.code(), stderr(&output))
    };
    let ours = format!("ca-file = \"{}\"", ca.display());
    let key = sealed.dir.path().join("ca.key");
    let system = "/etc/ssl/certs/ca-certificates.crt";
    if std::path::Path::new(system).exists() {
        let (code, said) = test("", system);
        assert_eq!(code, Some(1));
        assert!(said.contains("its certificate is not trusted (UnknownIssuer)"), "{said}");
    }
    let (code, said) = test("", key.to_str().unwrap());
    assert_eq!(code, Some(1));
    assert!(said.contains("ca.key holds no certificate in PEM"), "{said}");
    let (code, said) = test("ca-file = \"no/such.pem\"", ca.to_str().unwrap());
    assert_eq!(code, Some(1));
    assert!(said.contains("there is no file no/such.pem"), "{said}");
    for (ca_file, variable) in [(ours.as_str(), "no/such.pem"), ("", ca.to_str().unwrap())] {
        assert_eq!(test(ca_file, variable), (Some(0), String::new()));
        for status in ["firing", "resolved"] {
            let line = lines.next().unwrap();
            assert!(line.starts_with("/hook {") && line.contains(status), "{line}");
        }
    }
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
    assert_eq!(lines.next(), None, "nothing else came");
}

#[test]
fn a_mail_goes_through_sendmail() {
    let sealed = troubled();
    let script =
        sealed.program("bin/sendmail", "#!/bin/sh\necho \"$@\" > \"$0.args\"\ncat > \"$0.mail\"\n");
    let mail = format!(
        "[[receiver]]\nname = \"mail\"\ntype = \"mail\"\nto = [\"ops@example.com\"]\nsendmail = \"{}\"\n",
        script.display()
    );
    let file = rules(&sealed, &mail);
    at(&sealed, "10:10", &["alert", "run", &file]);
    let output = at(&sealed, "10:16", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let name = script.to_str().unwrap();
    assert_eq!(std::fs::read_to_string(format!("{name}.args")).unwrap(), "-t -i\n");
    let mail = std::fs::read_to_string(format!("{name}.mail")).unwrap();
    assert!(
        mail.contains("\nTo: ops@example.com\nSubject: [pmtaq] critical: bounces: yahoo"),
        "{mail}"
    );
    assert!(mail.contains("runbook: https://runbooks.example/bounces"), "{mail}");
}

#[test]
fn a_mail_program_that_hangs_is_ended_and_the_mail_kept_at_scale() {
    let sealed = troubled();
    let script = sealed.program("bin/sendmail", "#!/bin/sh\nexec sleep 600\n");
    let mail = format!(
        "[[receiver]]\nname = \"mail\"\ntype = \"mail\"\nto = [\"ops@example.com\"]\n\
         sendmail = \"{}\"\ntimeout = \"1s\"\n",
        script.display()
    );
    let file = rules(&sealed, &mail);
    at(&sealed, "10:10", &["alert", "run", &file]);
    let output = at(&sealed, "10:16", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("sendmail does not end within 1s"), "{}", stderr(&output));
    sealed.program("bin/sendmail", "#!/bin/sh\ncat > \"$0.mail\"\n");
    let output = at(&sealed, "10:17", &["alert", "run", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mail = std::fs::read_to_string(script.with_extension("mail")).unwrap();
    assert!(mail.contains("Subject: [pmtaq] critical: bounces: yahoo"), "{mail}");
}
