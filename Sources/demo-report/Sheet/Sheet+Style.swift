/// How the page looks, by day and by night, on a desk and on a phone.
extension Sheet {
  static let style: Markup = """
    :root {
      color-scheme: light dark;
      --page: #f6f6f3; --card: #ffffff; --line: #e2e2dc; --ink: #1f2326; --quiet: #6a7075;
      --right: #1d7a46; --wrong: #bb2f2f; --edge: #00000018;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #15171a; --card: #1e2125; --line: #32363c; --ink: #e6e7e8; --quiet: #9aa1a8;
        --right: #5cc98a; --wrong: #f08a80; --edge: #ffffff18;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    }
    main { max-width: 1200px; margin: 0 auto; padding: 48px 24px 64px; }
    h1 { font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 8px; }
    h2 { font-size: 20px; font-weight: 650; margin: 40px 0 8px; }
    p { margin: 0; }
    header p, section > p { color: var(--quiet); max-width: 72ch; }
    .headlines, .card, .group, .table {
      background: var(--card); border: 1px solid var(--line); border-radius: 10px;
    }
    .headlines {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 20px;
      margin: 24px 0 16px; padding: 20px 24px;
    }
    .headlines dt { color: var(--quiet); }
    .headlines dd { margin: 0; font-size: 34px; line-height: 1.2; font-weight: 600; }
    .headlines dd, td, table th { font-variant-numeric: tabular-nums; }
    .headlines .note { font-size: 13px; font-weight: 400; line-height: 1.45; }
    .note { color: var(--quiet); font-size: 13px; }
    .tables { columns: 2 480px; column-gap: 16px; }
    .table { break-inside: avoid; margin-bottom: 16px; padding: 12px 20px; overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: 14px; }
    th, td { padding: 5px 0 5px 16px; text-align: right; font-weight: 400; }
    th:first-child, td:first-child, .l { text-align: left; }
    th:first-child { padding-left: 0; }
    thead th { color: var(--quiet); font-size: 13px; white-space: nowrap; }
    thead th:first-child { color: var(--ink); font-size: 15px; font-weight: 650; }
    tbody tr { border-top: 1px solid var(--line); }
    .sub { color: var(--quiet); }
    .sub th { padding-left: 16px; }
    .cards {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(264px, 1fr)); gap: 16px;
      margin-top: 20px;
    }
    .card > div { padding: 12px 16px 16px; border-top: 1px solid var(--line); }
    img {
      display: block; max-width: 100%; height: auto; aspect-ratio: 1; border-radius: 6px;
      image-rendering: auto; outline: 1px solid var(--edge); outline-offset: -1px;
    }
    .card img { margin: 16px auto; }
    .truth { font-weight: 600; line-height: 1.35; }
    .card dl { margin: 8px 0 0; }
    .card dt { color: var(--quiet); font-size: 12px; margin-top: 8px; }
    .card dd { display: grid; grid-template-columns: 18px 1fr; margin: 0; line-height: 1.35; }
    .card .note { grid-column: 2; }
    .right { color: var(--right); font-weight: 700; }
    .wrong { color: var(--wrong); font-weight: 700; }
    .groups {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr));
      gap: 16px; margin-top: 20px;
    }
    .group { padding: 16px; }
    .images { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin-bottom: 12px; }
    figure { margin: 0; }
    figcaption { margin-top: 6px; font-size: 13px; }
    .group th { font-weight: 700; width: 1px; }
    .group td { text-align: left; }
    .group td:last-child, .choice { white-space: nowrap; }
    @media (max-width: 560px) {
      main { padding: 28px 14px 40px; }
      h1 { font-size: 25px; }
      .headlines { padding: 16px; }
      .table { padding: 8px 12px; }
      table { font-size: 13px; }
      .table th, .table td { padding-left: 8px; }
      .table th:first-child { padding-left: 0; }
      .table .sub th:first-child { padding-left: 10px; }
      thead th { font-size: 12px; white-space: normal; vertical-align: bottom; }
      .cards { grid-template-columns: 1fr; }
      .card { display: grid; grid-template-columns: 112px 1fr; gap: 14px; padding: 12px; }
      .card > div { padding: 0; border: 0; }
      .card img { margin: 0; }
      .images { grid-template-columns: repeat(2, 1fr); }
      .images img { width: 100%; }
    }

    """
}
