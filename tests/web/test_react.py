"""An extension's page written with React, bundled by its author: the library and the components in it."""

import subprocess

import pytest

from tools.webtools import packages

pytestmark = pytest.mark.browser

APP = """
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const COLUMNS = [{ key: 'name', label: 'Name', sortable: true }, { key: 'query', label: 'Query' }];

function App() {
  const [path, setPath] = useState(oriel.path);
  const [rows, setRows] = useState([]);
  const [name, setName] = useState('');
  useEffect(() => {
    const follow = ({ detail }) => setPath(detail.path);
    oriel.addEventListener('navigate', follow);
    return () => oriel.removeEventListener('navigate', follow);
  }, []);
  const add = async () => {
    const answer = await (await oriel.fetch(`/items?name=${encodeURIComponent(name)}`)).json();
    setRows((before) => [...before, { name, query: answer.query }]);
    oriel.toast(`${name} is in.`, 'success');
  };
  return (
    <main>
      <p id="at">at {path}</p>
      <a href="#/second">Second</a>
      <oriel-field label="Name" value={name} onInput={(event) => setName(event.target.value)} />
      <oriel-button variant="primary" disabled={!name} onClick={add}>Add</oriel-button>
      <oriel-table label="Items" columns={COLUMNS} rows={rows} empty="None yet." />
    </main>
  );
}

await oriel.ready();
createRoot(document.getElementById('root')).render(<App />);
"""
PAGE = '<!doctype html><title>React</title><div id="root"></div><script type="module" src="app.js"></script>'


@pytest.fixture(scope="module")
def bundled():
    """The app as its author's bundler makes it; the library stays outside."""
    home = packages()
    command = [
        home / "node_modules" / ".bin" / "esbuild", "--bundle", "--format=esm", "--loader=jsx", "--jsx=automatic",
        "--external:/oriel/*", "--minify", "--target=es2022", "--log-level=warning",
    ]  # fmt: skip
    done = subprocess.run(command, input=APP, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {"index.html": PAGE, "app.js": done.stdout}


def test_a_page_in_react_calls_navigates_and_uses_the_components(stage, page, bundled):
    frame = stage.show(page, stage.publish(bundled), path="/first")
    frame.get_by_text("at /first").wait_for()
    frame.get_by_text("None yet.").wait_for()
    assert frame.get_by_role("button", name="Add").is_disabled()
    frame.get_by_label("Name").fill("Åse")
    frame.get_by_role("button", name="Add").click()
    frame.get_by_role("row", name="Åse").get_by_text("name=%C3%85se").wait_for()
    page.wait_for_function("() => events.some(([type, text]) => type === 'toast' && text === 'Åse is in.')")
    frame.get_by_text("Second").click()
    frame.get_by_text("at /second").wait_for()
    assert page.evaluate("handle.path") == "/second"
