"""The surveys' doors: customers' pages and API, the studio, the staff API."""
