"""page.py REPORT [FOLDER]: reads an HTML report in Chromium as a person does, and prints what it found.

Sorts and filters the table of jobs by hand, changes the theme, points at a chart, looks at the page on
a phone and on paper. With a FOLDER it leaves pictures there.
"""

import json
import pathlib
import sys

import browser

JOBS = "#jobs .sortable"
LOOK = (pathlib.Path(__file__).parent / "look.js").read_text()


def column(page, at):
    """The texts of a column of the table of jobs, those in sight."""
    return page.run(
        f"""Array.from(document.querySelectorAll("{JOBS} tbody tr"))
        .filter((row) => !row.hidden).map((row) => row.cells[{at}].textContent)"""
    )


def background(page):
    """The colour behind everything."""
    return page.run("getComputedStyle(document.body).backgroundColor")


def main(report, folder):
    """Prints the findings as JSON."""
    url = pathlib.Path(report).resolve().as_uri()
    pictures = {}
    with browser.Browser() as page:
        page.screen(1280, 900)
        page.open(url)
        found = {"light": page.run(LOOK), "text": page.run("document.body.innerText")}
        pictures["light.png"] = page.picture()

        by_sent = f"{JOBS} thead th:nth-child(3) button"
        page.click(by_sent)
        found["descending"] = column(page, 2)
        page.click(by_sent)
        found["ascending"] = column(page, 2)
        found["sort"] = page.run(
            f"document.querySelector('{JOBS} thead th:nth-child(3)').ariaSort"
        )
        page.click(f"{JOBS} .filter")
        page.call("Input.insertText", text="SHOP")
        found["filtered"] = column(page, 0)

        page.point("#volume .hover")
        found["tip"] = page.run("document.getElementById('tip').innerText")

        before = background(page)
        page.click("#theme")
        found["theme"] = [before, background(page)]
        page.click("#theme")
        found["theme"].append(background(page))

        page.run("localStorage.clear()")
        page.screen(1280, 900, dark=True)
        page.open(url)
        found["dark"] = page.run(LOOK)
        pictures["dark.png"] = page.picture()

        page.screen(360, 740, phone=True)
        page.open(url)
        found["phone"] = page.run(LOOK)
        pictures["phone.png"] = page.picture()

        found["pwned"] = page.run("typeof pwned !== 'undefined'")
        found["foreign"] = page.run(
            """Array.from(document.querySelectorAll("script, img, iframe, object, embed, style, link, a, form"))
            .map((one) => one.outerHTML.slice(0, 60))"""
        )
        pictures["print.pdf"] = page.pdf()

        # What the page said and asked for, from the first moment on.
        found["errors"] = [
            *(told["exceptionDetails"] for told in page.told("Runtime.exceptionThrown")),
            *(told["entry"] for told in page.told("Log.entryAdded")),
            *(told["args"] for told in page.told("Runtime.consoleAPICalled")),
        ]
        asked = (told["request"]["url"] for told in page.told("Network.requestWillBeSent"))
        found["requests"] = [one for one in asked if one != url and not one.startswith("data:")]
    found["pictures"] = {name: len(data) for name, data in pictures.items()}
    for name, data in pictures.items() if folder else ():
        (pathlib.Path(folder) / name).write_bytes(data)
    print(json.dumps(found))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None)
