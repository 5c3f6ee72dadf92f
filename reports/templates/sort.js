for (const table of document.querySelectorAll('table.sort')) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const key = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const order = (left, right) => {
    const known = [left, right].map(it => it !== '' && it !== '—');
    if (!known[0] || !known[1]) return known[0] ? -1 : known[1] ? 1 : 0;
    const numbers = [left, right].map(Number);
    return numbers.some(isNaN) ? left.localeCompare(right) : numbers[0] - numbers[1];
  };
  heads.forEach((head, column) => {
    if (head.classList.contains('chartcell') || !head.textContent.trim()) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach(it => it.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const known = row => !['', '—'].includes(key(row, column));
      const rows = [...body.rows].sort((left, right) => {
        const way = down && known(left) && known(right) ? -1 : 1;
        return way * order(key(left, column), key(right, column));
      });
      body.append(...rows);
    });
  });
}
