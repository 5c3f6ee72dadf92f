module idcbench.build/cni-conf

go 1.21
