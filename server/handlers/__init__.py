"""From aiohttp to aiohttp: parse, call, render. No rule of OAuth lives here, and no SQL."""
