-- How many users paid for one cart, for two, three…, of all payments that there are? By number of purchases, for :source
-- and :traffic, the report's parameters. Where a period does not hold them all, service/columns/purchases.py counts them.
SELECT buyer_count.purchases, buyer_count.users
FROM buyer_count
WHERE
    buyer_count.sources = :source
    AND buyer_count.traffic = :traffic
ORDER BY buyer_count.purchases;
