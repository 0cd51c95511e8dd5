/** Two small charts in SVG. Colours come from the style sheet. */

const WIDTH = 360;
const HEIGHT = 120;
const SVG = 'http://www.w3.org/2000/svg';

/** `low` for 0 to 6, `middle` for 7 and 8, `high` for 9 and 10. */
export function tone(mark) {
  return mark <= 6 ? 'low' : mark <= 8 ? 'middle' : 'high';
}

/** The score of each week; weeks without answers are left out of the line. */
export function drawTrend(svg, weeks, nameOf) {
  const x = (index) => 12 + (index * (WIDTH - 24)) / (weeks.length - 1);
  const y = (score) => 8 + ((100 - score) / 200) * (HEIGHT - 34);
  const points = weeks.map(({ score, ...week }, index) => ({ ...week, score, x: x(index), y: y(score) }))
    .filter(({ score }) => score !== null);
  const parts = [element('line', { class: 'axis', x1: 0, x2: WIDTH, y1: y(0), y2: y(0) })];
  parts.push(element('polyline', { class: 'line', points: points.map((at) => `${at.x},${at.y}`).join(' ') }));
  for (const { x: cx, y: cy, start, score, answers } of points) {
    const dot = element('circle', { class: 'dot', cx, cy, r: 5 });
    dot.append(element('title', {}, `${nameOf(start)}: ${signed(score)}, ${answers} answers`));
    parts.push(dot);
  }
  parts.push(element('text', { x: 0, y: HEIGHT - 2 }, nameOf(weeks[0].start)));
  parts.push(element('text', { x: WIDTH, y: HEIGHT - 2, 'text-anchor': 'end' }, nameOf(weeks.at(-1).start)));
  describe(svg, points.map(({ start, score }) => `${nameOf(start)} ${signed(score)}`).join(', ') || 'No answers yet', parts);
}

/** How often each mark was given. */
export function drawMarks(svg, counts) {
  const step = WIDTH / counts.length;
  const most = Math.max(1, ...counts);
  const parts = counts.flatMap((count, mark) => {
    const height = Math.max(count ? 4 : 1, (count / most) * (HEIGHT - 42));
    const middle = step * (mark + 0.5);
    const bar = element('rect', {
      class: 'bar', 'data-tone': tone(mark), x: step * mark + 4, width: step - 8, y: HEIGHT - 20 - height, height, rx: 3,
    });
    const number = element('text', { x: middle, y: HEIGHT - 26 - height, 'text-anchor': 'middle' }, count || '');
    return [bar, number, element('text', { x: middle, y: HEIGHT - 4, 'text-anchor': 'middle' }, mark)];
  });
  describe(svg, counts.map((count, mark) => `${mark}: ${count}`).join(', '), parts);
}

export function signed(score) {
  return score > 0 ? `+${score}` : String(score).replace('-', '−');
}

function describe(svg, words, parts) {
  svg.setAttribute('aria-label', words);
  svg.replaceChildren(...parts);
}

function element(name, attributes, content = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(String(content));
  return made;
}
