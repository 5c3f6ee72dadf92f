module idcbench/csr-approver

go 1.21
