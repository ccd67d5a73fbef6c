// Look again after a while, as long as the page asks for it.
setTimeout(() => location.reload(), 2000);
