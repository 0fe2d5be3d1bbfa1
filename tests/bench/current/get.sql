-- What GetOpportunity sends to the database.
\set id random(1, :records)
SELECT record, is_flagged
  FROM read_opportunity('111111111111', 'partner', '111111111111', :id, '111111111111', 'alder-ace-user');
